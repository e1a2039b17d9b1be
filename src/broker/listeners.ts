/** One listener: where it is bound, and what clients are told to connect to. */
export interface Listener {
  readonly name: string
  readonly host: string
  /** The bound port; known once the listener is open. */
  readonly port: number
  readonly advertisedHost: string
  readonly advertisedPort: number
}

/** The listeners of a node by name. Advertised addresses may change while it runs, as a port mapping becomes known. */
export class Listeners {
  readonly #byName = new Map<string, Listener>()

  /** Adds an opened listener, or replaces what is known of it. */
  set(listener: Listener): void {
    this.#byName.set(listener.name, listener)
  }

  /** All of them, in the order in which they were configured. */
  all(): Listener[] {
    return [...this.#byName.values()]
  }

  /** Throws on a name that no listener has. */
  get(name: string): Listener {
    const found = this.#byName.get(name)
    if (!found) throw new Error(`no listener ${name}; there are: ${[...this.#byName.keys()].join(', ')}`)
    return found
  }

  /** Tells clients of this listener another address from now on. */
  advertise(name: string, host: string, port: number): void {
    this.set({ ...this.get(name), advertisedHost: host, advertisedPort: port })
  }
}

/** `HOST:PORT`; an IPv6 address stands in brackets. */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

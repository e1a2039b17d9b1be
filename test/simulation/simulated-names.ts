import type { Random } from '../../src/base/random.ts'
import { SimulatedFile } from './simulated-file.ts'

type NameChange =
  | { readonly kind: 'link' | 'unlink'; readonly name: string; readonly file: SimulatedFile }
  | { readonly kind: 'rename'; readonly from: string; readonly name: string; readonly file: SimulatedFile }
  | { readonly kind: 'folder'; readonly name: string }

class Tree {
  readonly files = new Map<string, SimulatedFile>()
  readonly folders = new Set<string>([''])

  apply(change: NameChange): void {
    if (change.kind === 'folder') return void this.folders.add(change.name)
    if (change.kind === 'rename') this.files.delete(change.from)
    if (change.kind !== 'unlink') this.files.set(change.name, change.file)
    else if (this.files.get(change.name) === change.file) this.files.delete(change.name)
  }
}

/** The names on a disk, one level of folders deep. A change of names is durable once its folder has been synced. */
export class SimulatedNames {
  readonly #live = new Tree()
  readonly #durable = new Tree()
  #pending: { folder: string; change: NameChange }[] = []

  get(name: string): SimulatedFile | undefined {
    return this.#live.files.get(name)
  }

  hasFolder(folder: string): boolean {
    return this.#live.folders.has(folder)
  }

  /** Every folder, the outermost last. */
  folders(): string[] {
    return [...this.#live.folders].sort().toReversed()
  }

  /** Every file's name, sorted. */
  all(): string[] {
    return [...this.#live.files.keys()].sort()
  }

  /** The names in a folder, sorted; its folders too. */
  list(folder: string): string[] {
    const files = this.all().filter(name => parentOf(name) === folder)
    const names = files.map(name => (folder === '' ? name : name.slice(folder.length + 1)))
    const folders = folder === '' ? [...this.#live.folders].filter(name => name !== '') : []
    return [...names, ...folders].sort()
  }

  makeFolder(folder: string): void {
    this.#apply('', { kind: 'folder', name: folder })
  }

  /** The file of this name, made if it is not there. */
  create(name: string): SimulatedFile {
    const found = this.#live.files.get(name)
    if (found) return found
    const file = new SimulatedFile()
    this.#apply(parentOf(name), { kind: 'link', name, file })
    return file
  }

  rename(from: string, name: string): void {
    const file = this.#live.files.get(from)!
    this.#apply(parentOf(name), { kind: 'rename', from, name, file })
  }

  unlink(name: string): void {
    const file = this.#live.files.get(name)
    if (file) this.#apply(parentOf(name), { kind: 'unlink', name, file })
  }

  syncFolder(folder: string): void {
    for (const pending of this.#pending) if (pending.folder === folder) this.#durable.apply(pending.change)
    this.#pending = this.#pending.filter(pending => pending.folder !== folder)
  }

  /** What a power cut leaves: any of the pending changes, in their order. */
  crashed(random: Random): SimulatedNames {
    const fate = random.below(4)
    const kept = new Tree()
    for (const folder of this.#durable.folders) kept.folders.add(folder)
    for (const [name, file] of this.#durable.files) kept.files.set(name, file)
    for (const { change } of this.#pending) {
      if (fate === 1 || (fate > 1 && random.below(2) === 0)) kept.apply(change)
    }
    const names = new SimulatedNames()
    for (const folder of kept.folders) {
      names.#live.folders.add(folder)
      names.#durable.folders.add(folder)
    }
    for (const [name, file] of kept.files) {
      if (!kept.folders.has(parentOf(name))) continue
      const left = file.crashed(random)
      names.#live.files.set(name, left)
      names.#durable.files.set(name, left)
    }
    return names
  }

  #apply(folder: string, change: NameChange): void {
    this.#live.apply(change)
    this.#pending.push({ folder, change })
  }
}

function parentOf(name: string): string {
  return name.includes('/') ? name.slice(0, name.indexOf('/')) : ''
}

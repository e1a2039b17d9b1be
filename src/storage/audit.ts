import type { Store } from './store.ts'

/** Being built. */
export declare function audit(store: Store): Promise<string[]>

import type { Api } from '../api.ts'
import { produce } from './00-produce.ts'
import { fetch } from './01-fetch.ts'
import { metadata } from './03-metadata.ts'
import { apiVersions } from './18-api-versions.ts'

/** What odradek serves, by API key. ApiVersions is computed from this list. */
export const apis: readonly Api[] = [produce, fetch, metadata, apiVersions]

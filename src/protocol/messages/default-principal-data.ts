/** Who made a forwarded request. */
import { bool, string, message, type Of } from '../schema.ts'

export const DefaultPrincipalData = message(
  { versions: '0', flexible: '0+' },
  { type: string, name: string, tokenAuthenticated: bool },
)
export type DefaultPrincipalData = Of<typeof DefaultPrincipalData>

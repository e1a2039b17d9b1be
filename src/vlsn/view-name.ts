const suffix = '.vlsn'

/** The name of a VLSN topic's ordered view. */
export function viewNameOf(topic: string): string {
  return topic + suffix
}

/** The name of the topic that a view with this name is of. */
export function topicNameOf(view: string): string {
  return view.slice(0, -suffix.length)
}

/** Whether a name is kept for views, so that no topic is made with it. */
export function isViewName(name: string): boolean {
  return name.endsWith(suffix)
}

const mask = Buffer.from('odradek ordered\0')

/** The id of the view of the topic with this id: another one for each, and the same after a restart. */
export function viewIdOf(topicId: string): string {
  const bytes = Buffer.from(topicId, 'base64url')
  for (let at = 0; at < bytes.length; at++) bytes[at]! ^= mask[at]!
  return bytes.toString('base64url')
}

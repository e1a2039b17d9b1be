/** Whose programs are killed, by the name that the command line takes: the client's folder, and the program in it. */
export const campaigns = {
  java: { folder: 'java', program: 'transform' },
  'franz-go': { folder: 'franz-go', program: 'transform' },
  'confluent-kafka': { folder: 'confluent-kafka', program: 'transform' },
  streams: { folder: 'java', program: 'word-count' },
}

import type { TransactionSettings } from '../transactions/settings.ts'
import type { Settings } from './configs/settings.ts'

/** The transaction coordinator's part of the settings. */
export function transactionSettings(settings: Settings): TransactionSettings {
  return {
    transactionMaxTimeoutMs: settings.get('transaction.max.timeout.ms'),
    abortTimedOutIntervalMs: settings.get('transaction.abort.timed.out.transaction.cleanup.interval.ms'),
    transactionalIdExpirationMs: settings.get('transactional.id.expiration.ms'),
    removeExpiredIntervalMs: settings.get('transaction.remove.expired.transaction.cleanup.interval.ms'),
    transactionTwoPhaseCommitEnable: settings.get('transaction.two.phase.commit.enable'),
  }
}

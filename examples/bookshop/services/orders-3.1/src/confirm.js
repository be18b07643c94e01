const PERIOD_MS = 2000;

/** Confirms placed orders that nobody cancelled within `confirmAfterSeconds`. Returns the act that stops it. */
export function confirmInTime({ ledger, log }, { confirmAfterSeconds }) {
  let timer;
  async function pass() {
    try {
      const confirmed = await ledger.confirmOlderThan({ seconds: confirmAfterSeconds });
      if (confirmed > 0) log.info({ confirmed }, "orders confirmed");
    } catch (error) {
      log.warn({ reason: error.message }, "orders could not be confirmed; trying again");
    }
    if (timer !== undefined) timer = setTimeout(pass, PERIOD_MS);
  }
  timer = setTimeout(pass, PERIOD_MS);
  return () => {
    clearTimeout(timer);
    timer = undefined;
  };
}

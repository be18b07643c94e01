const ASK_TIMEOUT_MS = 2000;

/** Asks the catalog whether it has the books of an order. Where it is away, the order is taken all the same: the stock decides. */
export function knownBooksOf({ catalogUrl, log }) {
  async function isUnknown(bookId) {
    const answer = await fetch(`${catalogUrl}/books/${bookId}`, {
      signal: AbortSignal.timeout(ASK_TIMEOUT_MS),
    });
    await answer.body?.cancel();
    return answer.status === 404;
  }

  return {
    /** The first book that the catalog does not have; undefined when it has them all. */
    async firstUnknown(bookIds) {
      try {
        const unknown = await Promise.all(bookIds.map(isUnknown));
        return bookIds.find((_, index) => unknown[index]);
      } catch (error) {
        log.warn({ reason: error.message }, "the catalog cannot be asked for the books");
        return undefined;
      }
    },
  };
}

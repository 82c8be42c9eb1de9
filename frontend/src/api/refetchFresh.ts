/** Asking again for what has just changed. */

type Asked = { readonly requestId?: string | undefined }

/**
 * While a request is on its way a second one is dropped, and the answer of the first may be from before the change.
 * So where that was the case it is asked once more.
 */
export async function refetchFresh(refetch: () => unknown): Promise<void> {
  const asked = refetch() as (PromiseLike<Asked> & Asked) | undefined
  const answer = await asked
  if (asked?.requestId !== undefined && answer?.requestId !== undefined && answer.requestId !== asked.requestId) await refetch()
}

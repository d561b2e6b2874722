/**
 * What can wait until a request is on its way: then there is time for it, before that it would hold the request up.
 * Modules are loaded so.
 */

const putOff: (() => void)[] = [];

/** Has `action` called once the next request of the process is sent. */
export function whileWaiting(action: () => void): void {
  putOff.push(action);
}

/** Called by whatever sends requests, each time one is on its way. */
export function requestSent(): void {
  if (putOff.length === 0) return;
  for (const action of putOff.splice(0)) action();
}

/**
 * Many may wait for one signal: Node warns of more than ten listeners of it as of a leak. So a signal gets one of ours,
 * which tells all others.
 */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `action` when the signal fires, unless the function that it gives was called before. */
export function onAbort(signal: AbortSignal | undefined, action: () => void): () => void {
  if (signal === undefined) return () => {};
  const actions = waiting.get(signal) ?? listen(signal);
  actions.add(action);
  return () => actions.delete(action);
}

function listen(signal: AbortSignal): Set<() => void> {
  const actions = new Set<() => void>();
  waiting.set(signal, actions);
  signal.addEventListener(
    "abort",
    () => {
      for (const action of [...actions]) action();
    },
    { once: true },
  );
  return actions;
}

/** Whether counts are as often as they should be. */

/**
 * Throws unless the counts, of independent draws, are those that the probabilities let expect: the chi-square statistic
 * must be below its mean by six standard deviations at most, above by eight. Seeds are fixed, so the outcome is too.
 */
export function expectFrequencies(counts: readonly number[], probabilities: readonly number[]): void {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let statistic = 0;
  for (const [at, probability] of probabilities.entries()) {
    const expected = probability * total;
    if (expected < 20) throw new Error(`only ${expected} expected at ${at}: more draws are needed`);
    statistic += (counts[at]! - expected) ** 2 / expected;
  }
  checkStatistic(statistic, probabilities.length - 1);
}

/** The same of how often each of some equal items is among `drawn` of them that are drawn together, `times` times. */
export function expectEqualInclusion(counts: readonly number[], drawn: number, times: number): void {
  const probability = drawn / counts.length;
  const expected = probability * times;
  const sum = counts.reduce((all, count) => all + (count - expected) ** 2, 0);
  // Drawing without replacement makes counts less different than independent draws would.
  const statistic = (sum * (counts.length - 1)) / counts.length / (expected * (1 - probability));
  checkStatistic(statistic, counts.length - 1);
}

function checkStatistic(statistic: number, freedom: number): void {
  const deviation = Math.sqrt(2 * freedom);
  if (statistic < freedom + 8 * deviation && statistic > freedom - 6 * deviation) return;
  throw new Error(`chi-square is ${statistic.toFixed(1)}, expected ${freedom} +- ${deviation.toFixed(1)}`);
}

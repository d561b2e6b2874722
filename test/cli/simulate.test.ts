import { describe, expect, it } from "vitest";
import { AliasTable, Random } from "../../src/cli/random.js";
import { Simulator } from "../../src/cli/simulate.js";
import type { SparseMatrix } from "../../src/h5ad/matrix.js";
import { columnValues, textValues } from "../../src/util/frame.js";

const counts = (simulator: Simulator, sample: number): SparseMatrix =>
  simulator.sample(sample).layers.get("counts") as SparseMatrix;

describe("Random", () => {
  it("gives Poisson counts with the mean and variance asked for, small and large", () => {
    for (const mean of [0.3, 12, 1800]) {
      const random = new Random(7);
      const draws = Array.from({ length: 4000 }, () => random.poisson(mean));
      const average = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
      const variance = draws.reduce((sum, draw) => sum + (draw - average) ** 2, 0) / draws.length;
      expect(Math.abs(average - mean)).toBeLessThan(4 * Math.sqrt(mean / draws.length));
      expect(variance / mean).toBeGreaterThan(0.85);
      expect(variance / mean).toBeLessThan(1.15);
    }
  });

  it("draws by weight", () => {
    const random = new Random(3);
    const table = new AliasTable(Float64Array.of(1, 0, 6, 3));
    const seen = [0, 0, 0, 0];
    for (let i = 0; i < 20_000; i++) seen[table.draw(random)]!++;
    expect(seen[1]).toBe(0);
    expect(seen[0]! / 20_000).toBeCloseTo(0.1, 1);
    expect(seen[2]! / 20_000).toBeCloseTo(0.6, 1);
    expect(seen[3]! / 20_000).toBeCloseTo(0.3, 1);
  });
});

describe("Simulator", () => {
  it("is the same for the same seed, whatever order samples are asked in", () => {
    const options = { cells: 20, genes: 300, seed: 5 };
    const one = new Simulator(options);
    const other = new Simulator(options);
    const second = counts(other, 1);
    expect(counts(other, 0)).toEqual(counts(one, 0));
    expect(second).toEqual(counts(one, 1));
    expect(counts(new Simulator({ ...options, seed: 6 }), 0)).not.toEqual(counts(one, 0));
  });

  it("has about 1,350 non-zeros a cell over 15,000 genes, 95 % of which a sample measures", () => {
    const sample = new Simulator({ cells: 200 }).sample(0);
    const matrix = sample.layers.get("counts") as SparseMatrix;
    expect(sample.shape).toEqual([200, 14_250]);
    expect(matrix.data.length / 200).toBeGreaterThan(1250);
    expect(matrix.data.length / 200).toBeLessThan(1450);
  });

  it("measures other genes in other samples, named in order", () => {
    const simulator = new Simulator({ cells: 2, genes: 400 });
    const names = [0, 1].map((index) => textValues(simulator.sample(index).var.index));
    expect(names[0]).toHaveLength(380);
    expect(names[0]).not.toEqual(names[1]);
    const numbers = names[0]!.map((name) => Number(name!.slice(5)));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });

  it("describes its cells truly", () => {
    const sample = new Simulator({ cells: 30, genes: 500, logNorm: true }).sample(2);
    const matrix = sample.layers.get("counts") as SparseMatrix;
    const totals = columnValues(sample.obs.columns.get("n_counts")!);
    const genes = columnValues(sample.obs.columns.get("n_genes")!);
    for (let row = 0; row < 30; row++) {
      const values = matrix.data.slice(matrix.indptr[row], matrix.indptr[row + 1]);
      expect(genes[row]).toBe(values.length);
      expect(totals[row]).toBe(Array.from(values, Number).reduce((sum, value) => sum + value, 0));
    }
    expect(new Set(textValues(sample.obs.index)).size).toBe(30);
    const normal = sample.layers.get("log-norm") as SparseMatrix;
    expect(normal.data[0]).toBeCloseTo(Math.log1p((Number(matrix.data[0]) / Number(totals[0])) * 10_000), 4);
  });
});

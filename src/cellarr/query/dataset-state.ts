import type { TileDBArray } from "../../array/open.js";
import type { DatasetParts } from "../dataset-parts.js";

/**
 * What an open store consists of, as text: columns, fragments and delete commits of its arrays. Fragments never change
 * and their names never come twice, so two stores with the same text answer every query the same. Gene-major copies
 * are left out: they answer as their matrices do.
 */
export function datasetState({ genes, cells, samples, matrices }: DatasetParts): string {
  const frames = [genes, cells, samples].map(({ array }) => arrayState(array));
  const others = [...matrices].map(([name, { array }]) => [name, ...arrayState(array)]);
  return JSON.stringify([...frames, ...others]);
}

function arrayState({ schema, fragments, deleteCommits }: TileDBArray): readonly unknown[] {
  return [
    schema.attributes.map(({ name, datatype, enumeration }) => [name, datatype, enumeration]),
    schema.enumerations.map(({ file }) => file),
    fragments.map(({ name }) => name),
    deleteCommits,
  ];
}

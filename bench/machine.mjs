// Facts about the machine, for whoever reads the figures later.
import { cpus, loadavg, release, totalmem, type } from "node:os";

export function machineFacts() {
  return {
    cpu: `${cpus()[0]?.model ?? "unknown CPU"} x ${cpus().length}`,
    memory: `${(totalmem() / 1e9).toFixed(0)} GB`,
    system: `${type()} ${release()}`,
    load: `load ${loadavg()[0].toFixed(1)} at the start`,
    node: `Node ${process.version}`,
    peers: "tiledb 0.36.1, cellarr 0.3.2 on Python",
  };
}

// In a page, bundled: the autoencoder on the devices that the library finds there.
import { defaultDevice, init } from "@jax-js/jax";
import { AutoEncoder } from "cellarr/ml/autoencoder";
import { switchDevices, train } from "./train.mjs";

globalThis.devices = () => init();

globalThis.trainOn = ({ device, ...task }) => {
  defaultDevice(device);
  return train({ AutoEncoder }, task);
};

globalThis.switchDevices = (task) => switchDevices({ AutoEncoder, defaultDevice }, task);

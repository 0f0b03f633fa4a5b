/** Each runtime has its own variable; schedulers set those of the node's devices. */
export const gpuVariables = [
  "CUDA_VISIBLE_DEVICES",
  "ROCR_VISIBLE_DEVICES",
  "HIP_VISIBLE_DEVICES",
  "GPU_DEVICE_ORDINAL",
  "ZE_AFFINITY_MASK",
] as const;

/** What Slurm writes where a job has no device. */
const noDevices = "NoDevFiles";

/** The devices in the value of such a variable; none when it is not set, or says so. */
export function gpuDevices(value: string | undefined): readonly string[] {
  return value === undefined || value === "" || value === noDevices ? [] : value.split(",");
}

/** What one slot gets: as many as there are for each, next to each other; or one that it shares with other slots. */
export function gpusOfSlot(devices: readonly string[], slot: number, slots: number): readonly string[] {
  const each = Math.floor(devices.length / slots);
  if (each >= 1) return devices.slice(slot * each, (slot + 1) * each);
  const shared = Math.floor((slot * devices.length) / slots);
  return devices.slice(shared, shared + 1);
}

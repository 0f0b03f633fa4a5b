/** Version of the messages and keys. An engine and a driver with different versions refuse each other. */
export const protocolVersion = 4;

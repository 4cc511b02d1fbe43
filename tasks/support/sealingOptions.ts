/** Options of commands that open sealed parts. */
export const sealingOptions = {
  payee: "Account whose part of the file to open; the only one that the file has a part for unless given",
  sealingKeystore: "Encrypted keystore of its sealing key; CAREPACT_SEALING_KEYSTORE unless given",
};

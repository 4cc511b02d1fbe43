// By itself, since commands are described while the config loads, before the types are generated that their work needs.

/** Options of commands in which somebody acts who needs no ether. */
export const actorOptions = {
  signer: "On a local chain: number or address of the node's account that acts, where another one sends",
  signerKeystore:
    "Encrypted JSON keystore of the key that acts, where another account sends and pays: an account's, or a P-256 key",
};

/** Options of commands that only sign. */
export const signatoryOptions = {
  signer: "On a local chain: number or address of the node's account that signs, in place of --as",
  signerKeystore: "Encrypted JSON keystore of the key that signs, in place of --keystore: an account's, or a P-256 key",
};

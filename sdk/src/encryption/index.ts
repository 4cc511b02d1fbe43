export { canonicalJson, saltedHashOf, toPlainJson } from "./canonicalJson";
export { generateSealingKeys, seal, unseal, type Sealed, type SealingContext, type SealingKeyPair } from "./hpke";
export { randomSalt, systemRandom, type RandomSource } from "./random";

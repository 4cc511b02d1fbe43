export { accountSigner, contractSigner, type TypedDataSigner } from "./account";
export { digestOf, type PatientSigner, type TypedMessage } from "./types";

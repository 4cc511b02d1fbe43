export { deployDevnet, devnet, devnetAccount, type Devnet, type JsonRpc } from "./devnet";

export {
  CarepactError,
  isCarepactError,
  type ErrorDetails,
  type ErrorFacts,
  type ErrorJson,
  type Json,
} from "./CarepactError";
export { errorCodes, type ErrorCode } from "./codes";

export { CarepactError, isCarepactError, type ErrorDetails, type Json } from "./CarepactError";
export { errorCodes, type ErrorCode } from "./codes";

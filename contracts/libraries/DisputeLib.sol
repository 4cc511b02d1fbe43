// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Held} from "./Held.sol";

/// @notice The slot of a line in dispute. From the least significant bit: its amount (86 bits), what its payee is paid by the attested
/// result (86 bits), when the dispute began (40 bits, unix seconds, less the seconds for which the batch was stopped before), and one
/// bit each: the payer disputes it, a result is attested, a result was attested when the dispute began. The two bits at the top are set (see {Held}).
type Dispute is uint256;

using DisputeLib for Dispute global;

/// @title DisputeLib
/// @notice Reads and changes the parts of a {Dispute}. Amounts are in base units.
library DisputeLib {
    uint256 private constant _AMOUNT_BITS = 86;
    uint256 private constant _AMOUNT_MASK = (1 << _AMOUNT_BITS) - 1;
    uint256 private constant _START_SHIFT = 172;
    uint256 private constant _BY_PAYER = 1 << 212;
    uint256 private constant _ATTESTED = 1 << 213;
    uint256 private constant _PRESENTED = 1 << 214;
    uint256 private constant _KIND = Held.DISPUTE << 254;

    /// @notice A dispute of a line whose result nobody attested yet. The caller has checked that each part fits.
    function create(uint256 amount_, uint256 start_, bool byPayer_) internal pure returns (Dispute) {
        return Dispute.wrap(_KIND | amount_ | (start_ << _START_SHIFT) | (byPayer_ ? _BY_PAYER : 0));
    }

    /// @notice The dispute of a line of which a result is attested, by which its payee is paid `paid`.
    function attest(Dispute self, uint256 paid) internal pure returns (Dispute) {
        return Dispute.wrap(Dispute.unwrap(self) | _ATTESTED | (paid << _AMOUNT_BITS));
    }

    /// @notice Whether what is held is a dispute.
    function exists(Dispute self) internal pure returns (bool) {
        return Dispute.unwrap(self) >= _KIND;
    }

    /// @notice The dispute of a presented result, by which the payee is paid `paid`.
    function contest(Dispute self, uint256 paid) internal pure returns (Dispute) {
        return Dispute.wrap(Dispute.unwrap(self.attest(paid)) | _PRESENTED);
    }

    /// @notice What the payee would have been paid without the dispute: by the result that it contests, or nothing.
    function contestedAmount(Dispute self) internal pure returns (uint256) {
        return Dispute.unwrap(self) & _PRESENTED == 0 ? 0 : self.attestedAmount();
    }

    /// @notice Amount of the line.
    function amount(Dispute self) internal pure returns (uint256) {
        return Dispute.unwrap(self) & _AMOUNT_MASK;
    }

    /// @notice What its payee is paid by the attested result; zero where none is attested.
    function attestedAmount(Dispute self) internal pure returns (uint256) {
        return (Dispute.unwrap(self) >> _AMOUNT_BITS) & _AMOUNT_MASK;
    }

    /// @notice When the dispute began.
    function start(Dispute self) internal pure returns (uint256) {
        return uint40(Dispute.unwrap(self) >> _START_SHIFT);
    }

    /// @notice Whether the payer disputes it, else its payee does.
    function byPayer(Dispute self) internal pure returns (bool) {
        return Dispute.unwrap(self) & _BY_PAYER != 0;
    }

    /// @notice Whether a result is attested.
    function attested(Dispute self) internal pure returns (bool) {
        return Dispute.unwrap(self) & _ATTESTED != 0;
    }
}

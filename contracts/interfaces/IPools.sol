// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IPools
/// @notice Money that is in nobody's claim batch: payers' free balances and payees' credits, per account and token.
/// @dev All amounts are in base units of the token. Tokens must move exactly what they are asked to: tokens that take a fee on
/// transfer are refused at deposit, rebasing tokens are not supported. Accounting is per token, so a token that lies harms only
/// those who use it.
interface IPools {
    /// @notice `amount` of `token` was added to `payer`'s free balance, paid by `from`.
    event Deposited(address indexed token, address indexed payer, address indexed from, uint256 amount);

    /// @notice `payer` took `amount` of `token` out of its free balance and sent it to `to`.
    event Withdrawn(address indexed token, address indexed payer, address indexed to, uint256 amount);

    /// @notice `amount` of `payee`'s credit in `token` was transferred to `to`.
    event PaidOut(address indexed token, address indexed payee, address indexed to, uint256 amount);

    /// @notice An amount of zero was given where money has to move.
    error AmountZero();

    /// @notice The amount does not fit the 96 bits of a claim batch.
    error AmountTooLarge(uint256 amount);

    /// @notice Neither the zero address nor the escrow itself can be credited or paid.
    error AccountInvalid(address account);

    /// @notice The token delivered another amount than asked for (a fee on transfer, for instance).
    error TokenDeliveredOther(address token, uint256 asked, uint256 delivered);

    /// @notice The free balance does not cover the amount: top the pool up, or ask for less.
    error FreeBalanceTooSmall(address payer, address token, uint256 free, uint256 asked);

    /// @notice The credit does not cover the amount.
    error CreditTooSmall(address payee, address token, uint256 credit, uint256 asked);

    /// @notice Adds tokens of the caller, approved beforehand, to a payer's free balance.
    /// @param payer Account whose free balance grows.
    /// @param token ERC-20 token.
    /// @param amount Base units.
    function deposit(address payer, address token, uint256 amount) external;

    /// @notice As {deposit}, with an ERC-2612 permit of the caller for exactly `amount`.
    /// @dev The permit is tried, not trusted: when somebody else used it first, or the token has none, an allowance that is there
    /// serves as well.
    /// @param deadline Of the permit, in unix seconds.
    function depositWithPermit(
        address payer,
        address token,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice As {deposit}, with tokens of `from` under an ERC-3009 `receiveWithAuthorization`; anyone may bring it.
    /// @dev The authorization's nonce is keccak256(abi.encode(payer, salt)), so that whoever brings it cannot credit another.
    /// @param from Account that signed the authorization and pays.
    /// @param validAfter Of the authorization, in unix seconds.
    /// @param validBefore Of the authorization, in unix seconds.
    function depositWithAuthorization(
        address payer,
        address token,
        address from,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 salt,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Sends `amount` of the caller's free balance to `to`. Works while all else is paused.
    function withdraw(address token, uint256 amount, address to) external;

    /// @notice Sends all credit of `payee` in `token` to `payee`; anyone may call. Works while all else is paused.
    /// @return amount Base units sent.
    function payout(address token, address payee) external returns (uint256 amount);

    /// @notice Sends `amount` of the caller's credit to `to`. Works while all else is paused.
    function payoutTo(address token, uint256 amount, address to) external;

    /// @notice Balances of `account` in `token`, in base units.
    /// @return free Can be withdrawn by the account, or fund its claim batches.
    /// @return credit Was earned, and can be paid out.
    function balancesOf(address account, address token) external view returns (uint256 free, uint256 credit);
}

"""What is listed here: thirty well-known US symbols and a few coins, with what their prices need to look real.

Names, listings and orders of magnitude are those of the real market; prices, volumes and volatilities are round
reference levels, not quotations. ``asset_id`` is derived from the symbol, so it is the same on every exchange.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Final

_NAMESPACE: Final = uuid.UUID("6f9e3f53-4f0b-5a2f-9a53-2a9a5b3e1d10")


@dataclass(frozen=True, slots=True)
class Asset:
    """One listing, and the statistics from which ``market.py`` makes its prices."""

    symbol: str
    name: str
    exchange: str
    sector: str
    price: float
    """Reference level in USD at the first start."""
    adv: float
    """Average daily volume in shares (coins for crypto)."""
    daily_vol: float
    """Standard deviation of one day's log return."""
    beta: float
    """Share of the common factor, in units of the market's own daily volatility."""
    spread_bps: float
    """Typical quoted spread in basis points of the price; never under one tick."""
    shortable: bool = True
    easy_to_borrow: bool = True
    fractionable: bool = True
    asset_class: str = "us_equity"

    @property
    def id(self) -> str:
        return _id_of(self.symbol)

    @property
    def is_crypto(self) -> bool:
        return self.asset_class == "crypto"

    @property
    def position_symbol(self) -> str:
        """Positions carry ``BTCUSD`` where orders carry ``BTC/USD``."""
        return self.symbol.replace("/", "")


@cache
def _id_of(symbol: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, symbol))


def _listing(symbol: str, name: str, exchange: str, sector: str, *numbers: float) -> Asset:
    price, adv, daily_vol, beta, spread_bps = numbers
    return Asset(symbol, name, exchange, sector, price, adv, daily_vol, beta, spread_bps)


_EQUITIES: Final = (
    _listing("SPY", "SPDR S&P 500 ETF Trust", "ARCA", "index", 662.0, 72e6, 0.0100, 1.00, 0.2),
    _listing("QQQ", "Invesco QQQ Trust", "NASDAQ", "technology", 598.0, 46e6, 0.0130, 1.20, 0.2),
    _listing("IWM", "iShares Russell 2000 ETF", "ARCA", "index", 238.0, 31e6, 0.0140, 1.15, 0.5),
    _listing("DIA", "SPDR Dow Jones Industrial Average ETF", "ARCA", "index", 462.0, 3.6e6, 0.0090, 0.85, 0.6),
    _listing("AAPL", "Apple Inc. Common Stock", "NASDAQ", "technology", 187.0, 52e6, 0.0170, 1.15, 0.4),
    _listing("MSFT", "Microsoft Corporation Common Stock", "NASDAQ", "technology", 488.0, 22e6, 0.0155, 1.05, 0.5),
    _listing("NVDA", "NVIDIA Corporation Common Stock", "NASDAQ", "semiconductors", 187.0, 190e6, 0.0290, 1.80, 0.6),
    _listing("AMD", "Advanced Micro Devices, Inc.", "NASDAQ", "semiconductors", 214.0, 52e6, 0.0340, 1.75, 0.8),
    _listing("INTC", "Intel Corporation Common Stock", "NASDAQ", "semiconductors", 36.5, 92e6, 0.0320, 1.30, 2.7),
    _listing("MU", "Micron Technology, Inc. Common Stock", "NASDAQ", "semiconductors", 226.0, 21e6, 0.0330, 1.60, 1.0),
    _listing("AVGO", "Broadcom Inc. Common Stock", "NASDAQ", "semiconductors", 347.0, 24e6, 0.0290, 1.55, 0.9),
    _listing("TSLA", "Tesla, Inc. Common Stock", "NASDAQ", "consumer", 402.0, 88e6, 0.0360, 1.70, 0.6),
    _listing("META", "Meta Platforms, Inc. Class A", "NASDAQ", "communication", 606.0, 16e6, 0.0210, 1.20, 0.8),
    _listing("GOOGL", "Alphabet Inc. Class A Common Stock", "NASDAQ", "communication", 291.0, 36e6, 0.0185, 1.10, 0.5),
    _listing("NFLX", "Netflix, Inc. Common Stock", "NASDAQ", "communication", 112.0, 42e6, 0.0220, 1.00, 1.0),
    _listing("DIS", "The Walt Disney Company Common Stock", "NYSE", "communication", 106.0, 11e6, 0.0170, 0.95, 1.0),
    _listing("AMZN", "Amazon.com, Inc. Common Stock", "NASDAQ", "consumer", 226.0, 46e6, 0.0195, 1.20, 0.6),
    _listing("WMT", "Walmart Inc. Common Stock", "NASDAQ", "consumer", 104.0, 18e6, 0.0125, 0.60, 1.0),
    _listing("JPM", "JPMorgan Chase & Co. Common Stock", "NYSE", "financials", 299.0, 9.4e6, 0.0150, 1.00, 0.8),
    _listing("BAC", "Bank of America Corporation Common Stock", "NYSE", "financials", 52.6, 38e6, 0.0165, 1.10, 1.9),
    _listing("XLF", "Financial Select Sector SPDR Fund", "ARCA", "financials", 52.3, 42e6, 0.0110, 0.95, 1.9),
    _listing("COIN", "Coinbase Global, Inc. Class A Common Stock", "NASDAQ", "crypto", 262.0, 11e6, 0.0480, 1.90, 2.4),
    _listing("PLTR", "Palantir Technologies Inc. Class A", "NASDAQ", "technology", 168.0, 58e6, 0.0390, 1.70, 1.0),
    _listing("CRM", "Salesforce, Inc. Common Stock", "NYSE", "technology", 233.0, 7.5e6, 0.0205, 1.10, 1.2),
    _listing("XOM", "Exxon Mobil Corporation Common Stock", "NYSE", "energy", 117.0, 15e6, 0.0150, 0.70, 0.9),
    _listing("CVX", "Chevron Corporation Common Stock", "NYSE", "energy", 151.0, 8.4e6, 0.0150, 0.70, 0.9),
    _listing("XLE", "Energy Select Sector SPDR Fund", "ARCA", "energy", 90.4, 16e6, 0.0140, 0.75, 1.1),
    _listing("JNJ", "Johnson & Johnson Common Stock", "NYSE", "health", 203.0, 8.6e6, 0.0110, 0.45, 1.0),
    _listing("UNH", "UnitedHealth Group Incorporated Common Stock", "NYSE", "health", 321.0, 9.8e6, 0.0210, 0.55, 1.4),
    _listing("GLD", "SPDR Gold Shares", "ARCA", "metals", 374.0, 12e6, 0.0110, 0.05, 0.5),
    _listing("TLT", "iShares 20+ Year Treasury Bond ETF", "NASDAQ", "rates", 89.6, 34e6, 0.0090, -0.20, 1.1),
    Asset(
        "GVH", "Globavend Holdings Limited Ordinary Shares", "NASDAQ", "small", 2.84, 1.4e6, 0.0700, 0.80, 70.0,
        shortable=False, easy_to_borrow=False, fractionable=False,
    ),
)  # fmt: skip

_CRYPTO: Final = (
    Asset("BTC/USD", "Bitcoin / US Dollar", "CRYPTO", "coin", 92400.0, 21e3, 0.0270, 0.90, 1.2,
          shortable=False, easy_to_borrow=False, asset_class="crypto"),
    Asset("ETH/USD", "Ethereum / US Dollar", "CRYPTO", "coin", 3020.0, 420e3, 0.0370, 1.20, 1.6,
          shortable=False, easy_to_borrow=False, asset_class="crypto"),
    Asset("SOL/USD", "Solana / US Dollar", "CRYPTO", "coin", 137.0, 6.0e6, 0.0450, 1.40, 2.4,
          shortable=False, easy_to_borrow=False, asset_class="crypto"),
)  # fmt: skip

LISTED: Final = (*_EQUITIES, *_CRYPTO)
SECTORS: Final = tuple(sorted({asset.sector for asset in LISTED}))
BY_SYMBOL: Final = {asset.symbol: asset for asset in LISTED}
_BY_ANY_NAME: Final = (
    {asset.id: asset for asset in LISTED} | {asset.position_symbol: asset for asset in LISTED} | BY_SYMBOL
)


def find_asset(name: str) -> Asset | None:
    """The asset of a symbol (``BTC/USD`` or ``BTCUSD``) or an asset id."""
    return _BY_ANY_NAME.get(name)


def tick_of(asset: Asset, price: Decimal | float) -> Decimal:
    """The price grid: a cent, a hundredth of a cent under one dollar, 1e-9 for coins.

    Source: SEC rule 612; docs.alpaca.markets/docs/orders-at-alpaca, "Sub-penny increments".
    """
    if asset.is_crypto:
        return Decimal("0.000000001")
    return Decimal("0.01") if price >= 1 else Decimal("0.0001")

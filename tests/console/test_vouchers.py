"""Vouchers over HTTP, as a till uses them."""

from console.conftest import Caller, bill


def test_a_voucher_is_redeemed_and_given_back(till: Caller, voucher: str) -> None:
    redeemed = till("POST", "vouchers/redeem", bill(voucher))
    assert redeemed.status_code == 200, redeemed.content
    print(redeemed.json())

"""What the channels sign is believed, and nothing else."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.money import Money
from payments.gateway.keys import make_keys
from payments.rules import alipay, unionpay, wechat_v3
from payments.rules.authenticity import NotAuthentic, Refusal, sign_sha256
from payments.rules.unionpay import SignMethod
from tests.payments.merchants import keys

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
BODY = '{"id":"EV-2018022511223320873","note":"京A12345"}'.encode()

texts = st.text(st.characters(codec="utf-8"), max_size=40)
fields = st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), texts, max_size=6)


def reason(refused: pytest.ExceptionInfo[NotAuthentic]) -> Refusal:
    return refused.value.reason


def wechat_headers(body: bytes = BODY, at: datetime = AT) -> dict[str, str]:
    return wechat_v3.signature_headers(
        keys().private["wechat-platform"],
        serial=keys().serial("wechat-platform"),
        body=body,
        at=at,
        nonce="5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
    )


def verifiers() -> wechat_v3.Verifiers:
    return {
        keys().serial("wechat-platform"): keys().public("wechat-platform"),
        keys().public_key_id: keys().public("wechat-public"),
    }


# --- WeChat Pay ----------------------------------------------------------------------------------


def test_a_request_signs_method_target_time_nonce_and_body_each_on_a_line() -> None:
    message = wechat_v3.request_message(
        "GET", "/v3/certificates?a=%E4%BA%AC", "1554208460", "593BEC0C930BF1AFEB40B4A08C8FB242", b""
    )
    assert message == (
        b"GET\n/v3/certificates?a=%E4%BA%AC\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n"
    )


def test_a_request_is_believed_by_the_merchant_s_certificate_for_five_minutes() -> None:
    header = wechat_v3.authorization(
        keys().private["wechat-merchant"],
        merchant_id="1900009999",
        serial=keys().serial("wechat-merchant"),
        method="POST",
        target="/v3/pay/transactions/native",
        body=BODY,
        at=AT,
        nonce="ABC",
    )
    merchants = {keys().serial("wechat-merchant"): keys().public("wechat-merchant")}

    def check(now: datetime, target: str = "/v3/pay/transactions/native") -> str:
        return wechat_v3.verify_request(
            header, method="POST", target=target, body=BODY, merchants=merchants, now=now
        ).merchant_id

    assert check(AT + timedelta(minutes=5)) == "1900009999"
    with pytest.raises(NotAuthentic) as late:
        check(AT + timedelta(minutes=5, seconds=1))
    assert reason(late) is Refusal.STALE
    with pytest.raises(NotAuthentic) as elsewhere:
        check(AT, "/v3/pay/transactions/jsapi")
    assert reason(elsewhere) is Refusal.WRONG_SIGNATURE


def test_either_key_verifies_in_a_switch_over_and_an_unknown_serial_is_a_refusal() -> None:
    wechat_v3.verify_signed(wechat_headers(), BODY, verifiers(), AT)
    public = {
        **wechat_v3.signature_headers(
            keys().private["wechat-public"],
            serial=keys().public_key_id,
            body=BODY,
            at=AT,
            nonce="N",
        )
    }
    wechat_v3.verify_signed({k.lower(): v for k, v in public.items()}, BODY, verifiers(), AT)
    with pytest.raises(NotAuthentic) as unknown:
        wechat_v3.verify_signed({**public, "Wechatpay-Serial": "7F"}, BODY, verifiers(), AT)
    assert reason(unknown) is Refusal.UNKNOWN_KEY


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Wechatpay-Timestamp", "soon", Refusal.MALFORMED),
        ("Wechatpay-Timestamp", "99999999999", Refusal.STALE),
        ("Wechatpay-Nonce", "other", Refusal.WRONG_SIGNATURE),
        ("Wechatpay-Signature", "not base64!", Refusal.MALFORMED),
        ("Wechatpay-Signature", "", Refusal.WRONG_SIGNATURE),
        ("Wechatpay-Signature-Type", "WECHATPAY2-SM2-WITH-SM3", Refusal.MALFORMED),
        ("Wechatpay-Signature", "WECHATPAY/SIGNTEST/AAAAA", Refusal.WRONG_SIGNATURE),
    ],
)
def test_a_changed_header_refuses_a_callback(name: str, value: str, expected: Refusal) -> None:
    with pytest.raises(NotAuthentic) as refused:
        wechat_v3.verify_signed({**wechat_headers(), name: value}, BODY, verifiers(), AT)
    assert reason(refused) is expected


@settings(max_examples=30)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_signature_holds_for_its_own_bytes_alone(body: bytes, other: bytes) -> None:
    headers = wechat_headers(body)
    wechat_v3.verify_signed(headers, body, verifiers(), AT)
    if other != body:
        with pytest.raises(NotAuthentic):
            wechat_v3.verify_signed(headers, other, verifiers(), AT)


@settings(max_examples=50)
@given(st.binary(max_size=200), st.sampled_from(["nonce", "associated_data", "ciphertext"]))
def test_a_sealed_resource_opens_unless_it_was_altered(plain: bytes, part: str) -> None:
    key = b"0123456789abcdef0123456789abcdef"
    sealed = wechat_v3.seal_resource(
        key, plain, kind="transaction", nonce="abcdefghijkl", associated_data="transaction"
    )
    assert wechat_v3.open_resource(key, sealed) == plain
    text = str(sealed[part])
    altered = {**sealed, part: ("B" if text[0] == "A" else "A") + text[1:]}
    with pytest.raises(NotAuthentic) as refused:
        wechat_v3.open_resource(key, altered)
    assert reason(refused) is Refusal.WRONG_CIPHER


def test_nothing_of_a_callback_is_read_before_its_signature_holds() -> None:
    with pytest.raises(NotAuthentic) as refused:
        wechat_v3.read_notification(
            wechat_headers(), b"{", verifiers=verifiers(), api_key=b"0" * 32, now=AT
        )
    assert reason(refused) is Refusal.WRONG_SIGNATURE
    with pytest.raises(NotAuthentic) as broken:
        wechat_v3.read_notification(
            wechat_headers(b"{"), b"{", verifiers=verifiers(), api_key=b"0" * 32, now=AT
        )
    assert reason(broken) is Refusal.MALFORMED
    huge = b"x" * 65_537
    with pytest.raises(NotAuthentic) as large:
        wechat_v3.read_notification(
            wechat_headers(huge), huge, verifiers=verifiers(), api_key=b"0" * 32, now=AT
        )
    assert reason(large) is Refusal.MALFORMED


def test_a_callback_is_tried_again_for_a_day() -> None:
    assert sum(wechat_v3.RETRIES_S) == 24 * 3600 + 4 * 60
    assert wechat_v3.RETRIES_S[0] == 15
    assert wechat_v3.RETRIES_S[-1] == 6 * 3600


# --- Alipay --------------------------------------------------------------------------------------


def test_alipay_signs_sorted_pairs_without_the_signature_and_empties() -> None:
    parameters = {"sign": "x", "sign_type": "RSA2", "b": "2", "a": "停车 费", "c": ""}
    assert alipay.canonical(parameters) == "a=停车 费&b=2&sign_type=RSA2".encode()
    assert alipay.canonical(parameters, alipay.NOTIFY_DROPS) == "a=停车 费&b=2".encode()


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ("2026-03-02 09:04:59", None),  # a clock that is somewhat ahead
        ("2026-03-01 08:36:00", None),  # its last retry, should it state when it was first sent
        ("2026-03-02 09:05:01", Refusal.STALE),
        ("2026-03-01 07:35:59", Refusal.STALE),
        ("", Refusal.MALFORMED),
        ("1772413200", Refusal.MALFORMED),
    ],
)
def test_alipay_is_believed_for_as_long_as_it_sends_again(sent: str, why: Refusal | None) -> None:
    # It is nine in the morning in China.
    if why is None:
        alipay.check_sent(sent, AT)
        return
    with pytest.raises(NotAuthentic) as refused:
        alipay.check_sent(sent, AT)
    assert reason(refused) is why


@settings(max_examples=30)
@given(fields, texts)
def test_alipay_believes_what_it_signed_and_no_changed_value(
    given_fields: dict[str, str], other: str
) -> None:
    key = keys().private["alipay-app"]
    parameters = {**given_fields, "amount": "12.50", "sign_type": "RSA2"}
    signed = {**parameters, "sign": alipay.sign(key, parameters)}
    alipay.verify_request(key.public_key(), signed)
    if other != "12.50":
        with pytest.raises(NotAuthentic):
            alipay.verify_request(key.public_key(), {**signed, "amount": other})


@pytest.mark.parametrize(
    "raw",
    [
        '{"alipay_trade_query_response":{"a":"}","b":{"c":1}},"sign":"x"}',
        '{ "sign":"x",  "alipay_trade_query_response" : {"a":"}","b":{"c":1}} }',
        (
            '{"n":"\\"alipay_trade_query_response\\":{}","alipay_trade_query_response":'
            '{"a":"}","b":{"c":1}}}'
        ),
    ],
)
def test_the_raw_text_of_a_response_s_node_is_cut_out_whole(raw: str) -> None:
    assert alipay.response_node(raw, "alipay_trade_query_response") == '{"a":"}","b":{"c":1}}'


@pytest.mark.parametrize("raw", ["", "[]", "{", '{"a":1', '{"a" 1}', '{"other":{}}', "{" * 5000])
def test_a_response_without_its_node_is_refused(raw: str) -> None:
    with pytest.raises(NotAuthentic) as refused:
        alipay.response_node(raw, "alipay_trade_query_response")
    assert reason(refused) is Refusal.MALFORMED


def test_a_response_is_believed_by_its_text_and_not_by_its_meaning() -> None:
    key, method = keys().private["alipay-platform"], "alipay.trade.query"
    raw = alipay.write_response(key, method, {"code": "10000", "msg": "停车费"}).decode()
    assert alipay.read_response(key.public_key(), raw, method)["msg"] == "停车费"
    same_meaning = raw.replace('"code":"10000"', '"code": "10000"')
    with pytest.raises(NotAuthentic):
        alipay.read_response(key.public_key(), same_meaning, method)
    unsigned = json.dumps({"alipay_trade_query_response": {"code": "10000"}})
    with pytest.raises(NotAuthentic):
        alipay.read_response(key.public_key(), unsigned, method)


def test_a_true_notification_about_something_else_is_refused_by_name() -> None:
    told = {"app_id": "A", "seller_id": "S", "out_trade_no": "O1", "total_amount": "12.50"}

    def check(**changed: str) -> None:
        alipay.check_notified(
            {**told, **changed},
            app_id="A",
            seller_id="S",
            order_no="O1",
            amount=Money(1250, "CNY"),
        )

    check(total_amount="12.5")
    for changed, expected in (
        ({"app_id": "B"}, Refusal.OTHER_MERCHANT),
        ({"seller_id": ""}, Refusal.OTHER_MERCHANT),
        ({"out_trade_no": "O2"}, Refusal.OTHER_ORDER),
        ({"total_amount": "12.51"}, Refusal.OTHER_AMOUNT),
        ({"total_amount": "1e1"}, Refusal.MALFORMED),
    ):
        with pytest.raises(NotAuthentic) as refused:
            check(**changed)
        assert reason(refused) is expected


def test_an_outcome_that_alipay_does_not_document_is_unknown() -> None:
    codes = ("10000", "10003", "20000", "40004", "50000", "")
    outcomes = [alipay.pay_outcome(code).value for code in codes]
    assert outcomes == ["paid", "waiting", "unknown", "refused", "unknown", "unknown"]


# --- UnionPay ------------------------------------------------------------------------------------


def test_unionpay_hashes_sorted_pairs_and_signs_the_hexadecimal() -> None:
    message = {"txnAmt": "1250", "merId": "777", "empty": "", "signature": "x", "certId": "42"}
    expected = hashlib.sha256(b"certId=42&merId=777&txnAmt=1250").hexdigest()
    assert unionpay.digest(message).decode() == expected
    key = keys().private["unionpay-merchant"]
    signed = unionpay.sign({"txnAmt": "1250", "merId": "777"}, key, "42")
    whole = b"certId=42&merId=777&signMethod=01&txnAmt=1250"
    assert signed["signature"] == sign_sha256(key, hashlib.sha256(whole).hexdigest().encode())


def test_unionpay_s_keyed_methods_hash_the_key_first() -> None:
    inner = hashlib.sha256(b"secret").hexdigest()
    outer = hashlib.sha256(f"a=1&signMethod=11&{inner}".encode()).hexdigest()
    signed = unionpay.sign_keyed({"a": "1"}, "secret", SignMethod.SHA256)
    assert signed["signature"] == outer
    for method in (SignMethod.SHA256, SignMethod.SM3):
        message = unionpay.sign_keyed({"a": "1"}, "secret", method)
        unionpay.verify_keyed(message, "secret", method)
        with pytest.raises(NotAuthentic):
            unionpay.verify_keyed({**message, "a": "2"}, "secret", method)
        with pytest.raises(NotAuthentic):
            unionpay.verify_keyed(message, "other", method)


def test_only_unionpay_s_own_certificate_of_the_trusted_issuer_speaks_for_it() -> None:
    root = keys().certificates["unionpay-root"]

    def message(signer: str, given_keys: str = "same") -> dict[str, str]:
        source = keys() if given_keys == "same" else make_keys(datetime.now(UTC))
        content = {"respCode": "00", "signPubKeyCert": source.certificate_pem(signer)}
        return unionpay.sign(content, source.private[signer])

    now = keys().certificates["unionpay-platform"].not_valid_before_utc + timedelta(days=2)
    good = message("unionpay-platform")
    unionpay.verify_from_unionpay(good, root, now)
    with pytest.raises(NotAuthentic) as altered:
        unionpay.verify_from_unionpay({**good, "respCode": "01"}, root, now)
    assert reason(altered) is Refusal.WRONG_SIGNATURE
    for stranger in (message("unionpay-merchant"), message("unionpay-platform", "others")):
        with pytest.raises(NotAuthentic) as unknown:
            unionpay.verify_from_unionpay(stranger, root, now)
        assert reason(unknown) is Refusal.UNKNOWN_KEY
    with pytest.raises(NotAuthentic) as expired:
        unionpay.verify_from_unionpay(good, root, now + timedelta(days=3650))
    assert reason(expired) is Refusal.UNKNOWN_KEY
    with pytest.raises(NotAuthentic) as none:
        unionpay.verify_from_unionpay({**good, "signPubKeyCert": "x"}, root, now)
    assert reason(none) is Refusal.MALFORMED


def test_unionpay_s_answers_are_read_as_they_are_written() -> None:
    message = {"a": "1=2==", "b": "{k=v&l=w}", "c": "停车", "d": ""}
    assert unionpay.read_response(unionpay.write_response(message)) == message
    for broken in (b"a=1&b", b"a=1&a=2", b"\xff=1"):
        with pytest.raises(NotAuthentic):
            unionpay.read_response(broken)

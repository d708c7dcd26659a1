import uuid
from datetime import timedelta
from decimal import Decimal
from loyalty import clock, ledger, counter, nightly, audit
from loyalty.models import *
from members import channels
from members.facts import PointsSpentFact
from members.models import Order
from tests.trade import *

MEI = buyer("mei", phone("+8613900000001"))
BO = buyer("bo", phone("+8613900000002"))

def test_hold_then_lapse(trade):
    m = trade.buy("T", "100", MEI, at=trade.ago(360)).member_id
    trade.hold(m, 100, seconds=86400)
    clock.move(timedelta(days=30))
    print(trade.figures(m))
    nightly.post_expiry()
    print(trade.figures(m), list(Entry.objects.values_list("kind", "points")))
    assert Entry.objects.filter(kind="expire").exists()

def test_move_after_refund(trade):
    trade.buy("T", "200", MEI)
    trade.refund("T", "R", "50")
    trade.buy("T", "200", BO)
    proven()

def test_move_after_refund_lapsed(trade):
    m=trade.buy("T", "200", MEI, at=trade.ago(500)).member_id
    trade.refund("T", "R", "50")
    trade.buy("T", "200", BO, at=trade.ago(500))
    print(trade.figures(m), list(Entry.objects.values_list("kind", "points","wallet_id")))
    proven()

def test_move_spent_after_refund(trade):
    m = trade.buy("T0", "200", MEI).member_id
    trade.spend(m, 150, cause="pay")
    sp=PointsSpentFact(points=150, cause="pay")
    trade.buy("T1", "71.50", MEI, points_value=Decimal("1.50"), spent=sp)
    trade.refund("T1", "R", "35.75")
    print(trade.figures(m))
    b=trade.buy("T1", "71.50", BO, points_value=Decimal("1.50"), spent=sp).member_id
    print(trade.figures(m), trade.figures(b))
    proven()

def shop():
    c = channels.make("jingan", "pos")
    return channels.make_store(c, "jingan")

def test_nonce_other_member(trade):
    s = shop()
    m = trade.buy("T0", "200", MEI).member_id
    b = trade.buy("T1", "200", BO).member_id
    n = uuid.uuid4()
    counter.sell(s, m, amount=Decimal("50"), nonce=n, actor_id=None)
    try:
        counter.sell(s, b, amount=Decimal("50"), nonce=n, actor_id=None)
    except Exception as e:
        print(repr(e))
    assert Order.objects.get(channel=s.channel).member_id == m

def test_refund_replay(db):
    trade = Trade(base_per_yuan="0.1")
    s = shop()
    m = trade.buy("T0", "200", MEI).member_id
    sale = counter.sell(s, m, amount=Decimal("100"), nonce=uuid.uuid4(), actor_id=None)
    ns = [uuid.uuid4() for _ in range(3)]
    first = [counter.refund(s, sale.order_number, goods=Decimal(g), nonce=n, actor_id=None) for n, g in zip(ns, ("1","1","10"))]
    again = [counter.refund(s, sale.order_number, goods=Decimal(g), nonce=n, actor_id=None) for n, g in zip(ns, ("1","1","10"))]
    print([r.points_taken for r in first], [r.points_taken for r in again])
    assert [r.points_taken for r in first]== [r.points_taken for r in again]

def test_placed_with_points_then_paid(trade):
    m = trade.buy("T0", "200", MEI).member_id
    trade.spend(m, 150, cause="pay")
    sp=PointsSpentFact(points=150, cause="pay")
    trade.buy("T1", "71.50", MEI, points_value=Decimal("1.50"), spent=sp, status=OrderStatus.PLACED)
    r = trade.buy("T1", "71.50", MEI, points_value=Decimal("1.50"), spent=sp)
    print(r)
    assert r.points == 70

def test_placed_with_points_then_cancelled(trade):
    m = trade.buy("T0", "200", MEI).member_id
    trade.spend(m, 150, cause="pay")
    sp=PointsSpentFact(points=150, cause="pay")
    trade.buy("T1", "71.50", MEI, points_value=Decimal("1.50"), spent=sp, status=OrderStatus.PLACED)
    assert trade.available(m)==50
    r = trade.buy("T1", "71.50", MEI, points_value=Decimal("1.50"), spent=sp, status=OrderStatus.CANCELLED)
    assert trade.available(m)==200
    proven()

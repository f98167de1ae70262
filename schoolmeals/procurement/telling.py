"""Letters to subscribers: one job for each public act, one letter for each who wants to know."""

from typing import Final
from uuid import UUID, uuid5

from flask_babel import force_locale, gettext
from sqlalchemy import or_, select

from schoolmeals import mail
from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_
from schoolmeals.procurement.acting import act_of
from schoolmeals.procurement.actions.subscriptions import NewsKeys, forget_subscriptions
from schoolmeals.procurement.models import Subscription, Tender, TenderAct
from schoolmeals.procurement.queries.news import schools_of
from schoolmeals.procurement.rules.acts import Act, ActKind
from schoolmeals.procurement.rules.news import finds, is_told
from schoolmeals.procurement.words import ACT_NAMES
from schoolmeals.web import frame


def tell_subscribers(act_id: str) -> None:
    """Promise the letters about an act. What has no words is not told."""
    here = frame()
    if not here.settings.sends_letters:
        return
    with reading(SYSTEM, here.clock()) as look:
        row = look.session.get(TenderAct, UUID(act_id))
        if row is None:
            return
        act, tender = act_of(row), look.session.get_one(Tender, row.tender_id)
        if not is_told(act.kind) or act.kind not in ACT_NAMES or tender.published_at is None:
            return
        readers = _readers(look, tender, act)
    if not readers:
        return
    keys = NewsKeys.of(here.settings.secret_key, here.settings.base_url)
    with transaction(SYSTEM, here.clock()) as work:
        for reader in readers:
            _write(work, keys, reader, tender, act)


def forget_old_subscriptions() -> None:
    """Let go of addresses that nobody confirmed, or that have long left."""
    with transaction(SYSTEM, frame().clock()) as work:
        forget_subscriptions(work)


def _readers(look: Work, tender: Tender, act: Act) -> list[Subscription]:
    """Subscribers of the tender; of a new one those, too, whose search finds it. Each address once."""
    about = [Subscription.tender_id == tender.id]
    if act.kind is ActKind.PUBLISHED:
        about.append(Subscription.tender_id.is_(None))
    standing = (Subscription.confirmed_at.is_not(None), Subscription.ended_at.is_(None))
    rows = look.session.scalars(select(Subscription).where(or_(*about), *standing).order_by(Subscription.id))
    schools = schools_of(look, [tender.id]).get(tender.id, [])
    found = [row for row in rows if row.search is None or finds(row.search, tender.title, tender.number or "", schools)]
    return list({row.email: row for row in reversed(found)}.values())


def _write(work: Work, keys: NewsKeys, reader: Subscription, tender: Tender, act: Act) -> None:
    with force_locale(reader.language):
        news = gettext(ACT_NAMES[act.kind])
    title = next((tender.title[one] for one in (reader.language, "kk", "ru", "en") if tender.title.get(one)), "")
    mail.promise(
        work,
        to=reader.email,
        language=reader.language,
        subject=NEWS_SUBJECT,
        text=NEWS_TEXT,
        key=keys.letters,
        params={
            "number": tender.number or "",
            "title": title,
            "news": news,
            "address": f"{keys.base_url}/tenders/{tender.id}",
            "end": keys.link(reader.id),
        },
        leave=f"{keys.link(reader.id)}/end",
        # A worker that dies before its job is noted as done comes here again.
        letter_id=uuid5(act.id, str(reader.id)),
    )


NEWS_SUBJECT: Final = N_("Tender %(number)s: %(news)s")
NEWS_TEXT: Final = N_(
    "%(title)s\n\n%(news)s. Everything about it is on the tender's page:\n\n%(address)s\n\n"
    "You asked for this letter. No more of them, with one click:\n\n%(end)s"
)

"""The hosted page's words. They stand apart from the product's catalogues, as the page stands for somebody else's."""

from typing import Final

from schoolmeals.money import MINOR_DIGITS, Money

LANGUAGES: Final = {"kk": "Қазақша", "ru": "Русский", "en": "English"}
_SIGNS: Final = {"KZT": "₸", "EUR": "€", "USD": "$"}
_NO_BREAK: Final = "\N{NO-BREAK SPACE}"

WORDS: Final = {
    "kk": {
        "demo": "Демо-банк: мұнда нағыз ақша жоқ",
        "demo_more": "Бұл бет банктің орнына тұр. Не болатынын көру үшін картаны таңдаңыз.",
        "language": "Тіл",
        "title": "Төлем",
        "sum": "Төленетін сома",
        "cards": "Демо-картаны таңдаңыз",
        "4242424242424242": "Бірден төленеді",
        "4000002500003155": "Банк растауды сұрайды, содан кейін төленеді",
        "4000000000009995": "Картада ақша жетпейді",
        "4000000000000002": "Банк картаны қабылдамайды",
        "pay": "{sum} төлеу",
        "cancel": "Төлемей қайту",
        "problem": "Төлем өтпеді",
        "choose": "Картаны таңдаңыз",
        "insufficient_funds": "Бұл картада ақша жетпейді. Басқа картаны таңдаңыз.",
        "generic_decline": "Банк бұл картаны қабылдамады. Басқа картаны таңдаңыз.",
        "payment_intent_authentication_failure": "Төлем расталмады. Қайталаңыз немесе басқа картаны таңдаңыз.",
        "confirm_title": "Банкіңіз төлемді растауды сұрайды",
        "confirm": "Растау",
        "refuse": "Растамау",
        "complete_title": "Төлем жасалды",
        "complete_more": "Ақшаның түскенін мектеп асханасының бетінен көресіз.",
        "expired_title": "Бұл бет жабылған",
        "expired_more": "Төлем уақыты өтіп кетті. Қайтып барып, жаңадан бастаңыз.",
        "back": "Қайту",
        "unknown_title": "Мұндай төлем табылмады",
        "unknown_more": "Мекенжайды тексеріңіз немесе мектеп асханасының бетінен қайта бастаңыз.",
    },
    "ru": {
        "demo": "Демо-банк: здесь нет настоящих денег",
        "demo_more": "Эта страница стоит на месте банка. Выберите карту, чтобы увидеть, что будет.",
        "language": "Язык",
        "title": "Оплата",
        "sum": "К оплате",
        "cards": "Выберите демо-карту",
        "4242424242424242": "Оплата пройдёт сразу",
        "4000002500003155": "Банк попросит подтвердить, потом оплата пройдёт",
        "4000000000009995": "На карте не хватит денег",
        "4000000000000002": "Банк отклонит карту",
        "pay": "Оплатить {sum}",
        "cancel": "Вернуться без оплаты",
        "problem": "Оплата не прошла",
        "choose": "Выберите карту",
        "insufficient_funds": "На этой карте не хватает денег. Выберите другую.",
        "generic_decline": "Банк отклонил эту карту. Выберите другую.",
        "payment_intent_authentication_failure": "Оплата не подтверждена. Повторите или выберите другую карту.",
        "confirm_title": "Ваш банк просит подтвердить оплату",
        "confirm": "Подтвердить",
        "refuse": "Не подтверждать",
        "complete_title": "Оплачено",
        "complete_more": "Поступление денег вы увидите на странице школьной столовой.",
        "expired_title": "Эта страница закрыта",
        "expired_more": "Время оплаты вышло. Вернитесь и начните заново.",
        "back": "Вернуться",
        "unknown_title": "Такого платежа нет",
        "unknown_more": "Проверьте адрес или начните заново со страницы школьной столовой.",
    },
    "en": {
        "demo": "Demo bank: no real money",
        "demo_more": "This page stands in for the bank. Choose a card to see what happens.",
        "language": "Language",
        "title": "Payment",
        "sum": "To pay",
        "cards": "Choose a demo card",
        "4242424242424242": "Pays at once",
        "4000002500003155": "The bank asks you to confirm, then it pays",
        "4000000000009995": "There is not enough money on the card",
        "4000000000000002": "The bank declines the card",
        "pay": "Pay {sum}",
        "cancel": "Go back without paying",
        "problem": "The payment did not go through",
        "choose": "Choose a card",
        "insufficient_funds": "There is not enough money on this card. Choose another one.",
        "generic_decline": "The bank declined this card. Choose another one.",
        "payment_intent_authentication_failure": "The payment was not confirmed. Try again or choose another card.",
        "confirm_title": "Your bank asks you to confirm the payment",
        "confirm": "Confirm",
        "refuse": "Do not confirm",
        "complete_title": "Paid",
        "complete_more": "You will see the money on the page of the school canteen.",
        "expired_title": "This page is closed",
        "expired_more": "The time to pay is over. Go back and start again.",
        "back": "Go back",
        "unknown_title": "There is no such payment",
        "unknown_more": "Check the address, or start again from the page of the school canteen.",
    },
}


def sum_in_words(money: Money) -> str:
    """``5 000 ₸``; minor digits only where there are any."""
    digits = MINOR_DIGITS[money.currency]
    whole, rest = divmod(money.minor, 10**digits)
    shown = f"{whole:,}".replace(",", _NO_BREAK) + (f",{rest:0{digits}d}" if rest else "")
    return f"{shown}{_NO_BREAK}{_SIGNS.get(money.currency, money.currency)}"

"""Invented families: Kazakh and Russian names as they stand on school rolls today. No list was copied from anywhere."""

from dataclasses import dataclass
from random import Random
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


KAZAKH_GIRLS: Final = _words(
    """
    Айзере Аяла Айлин Айару Інжу Раяна Кәусар Томирис Сафия Айша Медина Нұрай Дариға Аружан Ясмина Аяулым
    Іңкәр Жанерке Әдемі Гүлназ Мөлдір Ақбота Әмина Хадиша Назерке Балнұр Сезім Ұлпан Көркем Жасмин Тоғжан Әсел
    Фатима Айгерім Ақерке Ажар Бақытгүл Диана Еркежан Зере Камила Ләйлім Мерей
    """
)
KAZAKH_BOYS: Final = _words(
    """
    Алихан Айсұлтан Әлихан Ерасыл Нұрислам Санжар Мирас Алдияр Рамазан Имран Бекзат Дінмұхаммед Әли Исмаил
    Арсен Жәңгір Нұрәли Қайсар Бейбарыс Темірлан Абылай Ерсұлтан Олжас Дәулет Мансұр Расул Диас Тамерлан
    Еркебұлан Әділ Мұстафа Батырхан Жандос Ислам Қуаныш Мақсат Нұртөре Сұлтан Төреғали Шыңғыс Хамза Ибраһим
    Дамир
    """
)
KAZAKH_FATHERS: Final = _words(
    """
    Ерлан Нұрлан Серік Бауыржан Қайрат Марат Асқар Дәурен Ержан Мұрат Руслан Жанат Болат Бекжан Айдос Ғалым
    Талғат Данияр Ермек Азамат Тимур Самат Нұржан Қанат Рустам Ардақ Берік Олжас Жасұлан Мейрам Сәкен Әлібек
    """
)
KAZAKH_MOTHERS: Final = _words(
    """
    Айгүл Гүлнар Динара Жанар Сәуле Әлия Айнұр Мадина Ботагөз Асель Гүлмира Қарлығаш Маржан Райхан Ләззат
    Меруерт Шолпан Перизат Жұлдыз Алма Бибігүл Самал Эльмира Назгүл Әйгерім Толқын Індира Зарина Роза Салтанат
    """
)
KAZAKH_SURNAMES: Final = _words(
    """
    Ахметов Оспанов Қасымов Сәрсенов Жұмабаев Нұрмағамбетов Әбдірахманов Тоқтаров Сейітов Бектұров Ибраев
    Мұқанов Тілеубергенов Есенов Қожахметов Байжанов Смағұлов Рахымов Досжанов Кенжебаев Алпысбаев Әлімжанов
    Төлегенов Исаев Сүлейменов Жақсылықов Мамытов Өтегенов Нүсіпов Шәріпов Ғабдуллин Бейсенов Қалиев Омаров
    Ақылбеков
    """
)
BARE_SURNAMES: Final = _words(
    """
    Төлеген Серікбай Жанұзақ Нұрғали Бекмұрат Қыдырәлі Аманжол Ерғали Сағындық Мұратбек Өмірзақ Тілеужан
    Байдәулет Қонысбай Есенгелді Сапарғали
    """
)
"""Surnames without an ending, as many families write them now; the same for girls and boys."""
RUSSIAN_GIRLS: Final = _words(
    """
    София Мария Анна Виктория Полина Ева Алиса Варвара Дарья Вероника Арина Ксения Милана Елизавета Кира
    Таисия Екатерина Василиса Ульяна Амелия
    """
)
RUSSIAN_BOYS: Final = _words(
    """
    Артём Александр Максим Михаил Матвей Роман Иван Даниил Тимофей Егор Кирилл Лев Марк Илья Никита Фёдор
    Дмитрий Глеб Арсений Павел
    """
)
RUSSIAN_FATHERS: Final = (
    ("Сергей", "Сергеевич", "Сергеевна"),
    ("Андрей", "Андреевич", "Андреевна"),
    ("Алексей", "Алексеевич", "Алексеевна"),
    ("Дмитрий", "Дмитриевич", "Дмитриевна"),
    ("Евгений", "Евгеньевич", "Евгеньевна"),
    ("Виктор", "Викторович", "Викторовна"),
    ("Павел", "Павлович", "Павловна"),
    ("Олег", "Олегович", "Олеговна"),
    ("Владимир", "Владимирович", "Владимировна"),
    ("Денис", "Денисович", "Денисовна"),
    ("Юрий", "Юрьевич", "Юрьевна"),
    ("Константин", "Константинович", "Константиновна"),
)
RUSSIAN_MOTHERS: Final = _words(
    """
    Ольга Елена Наталья Светлана Ирина Татьяна Юлия Марина Оксана Анастасия Людмила Галина Вера Алёна
    """
)
RUSSIAN_SURNAMES: Final = _words(
    """
    Кузнецов Соколов Лебедев Новиков Морозов Волков Зайцев Павлов Голубев Виноградов Беляев Тарасов Ковалёв
    Макаров Фролов Орлов Гусев Титов Комаров Шмидт Бондаренко Ткаченко Шевченко Ким Вагнер
    """
)
UNCHANGING: Final = ("Шмидт", "Бондаренко", "Ткаченко", "Шевченко", "Ким", "Вагнер", *BARE_SURNAMES)


@dataclass(frozen=True, slots=True)
class FullName:
    """A pupil's or an adult's name."""

    surname: str
    given: str
    patronymic: str

    @property
    def short(self) -> str:
        """Surname and given name."""
        return f"{self.surname} {self.given}"


@dataclass(frozen=True, slots=True)
class Family:
    """What the names of a family's children are made from. ``language`` is ``kk`` or ``ru``."""

    language: str
    surname: str
    father: tuple[str, str, str]
    """The given name, and the patronymics of a son and of a daughter."""
    mother: str

    def child(self, chance: Random, *, is_girl: bool) -> FullName:
        """A son's or daughter's name."""
        lists = {
            ("kk", True): KAZAKH_GIRLS,
            ("kk", False): KAZAKH_BOYS,
            ("ru", True): RUSSIAN_GIRLS,
            ("ru", False): RUSSIAN_BOYS,
        }
        given = chance.choice(lists[self.language, is_girl])
        return FullName(self.surname_for(is_girl), given, self.father[2 if is_girl else 1])

    def surname_for(self, is_woman: bool) -> str:
        """The surname as a woman or a man of the family bears it."""
        return f"{self.surname}а" if is_woman and self.surname not in UNCHANGING else self.surname

    def parent(self, *, is_mother: bool) -> str:
        """The mother's or father's name, surname first."""
        return f"{self.surname_for(is_mother)} {self.mother if is_mother else self.father[0]}"


def new_family(chance: Random) -> Family:
    """A family: three of four are Kazakh, and a quarter of those bear a surname without an ending."""
    if chance.random() < 0.25:
        return Family(
            "ru", chance.choice(RUSSIAN_SURNAMES), chance.choice(RUSSIAN_FATHERS), chance.choice(RUSSIAN_MOTHERS)
        )
    father = chance.choice(KAZAKH_FATHERS)
    surname = chance.choice(BARE_SURNAMES if chance.random() < 0.25 else KAZAKH_SURNAMES)
    return Family("kk", surname, (father, f"{father}ұлы", f"{father}қызы"), chance.choice(KAZAKH_MOTHERS))

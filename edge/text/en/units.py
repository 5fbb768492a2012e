"""Tables of units, currencies and magnitudes for the quantity rules."""

from __future__ import annotations

# unit -> (singular, plural); keys are tried as written, then in lower case.
_PLURAL_IN_S = {
    "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "m": "meter", "nm": "nanometer",
    "µm": "micrometer", "mi": "mile", "yd": "yard", "yds": "yard", "kg": "kilogram", "g": "gram",
    "mg": "milligram", "µg": "microgram", "lb": "pound", "lbs": "pound", "oz": "ounce", "t": "ton",
    "L": "liter", "l": "liter", "ml": "milliliter", "cl": "centiliter", "dl": "deciliter", "gal": "gallon",
    "qt": "quart", "pt": "pint", "tbsp": "tablespoon", "tsp": "teaspoon", "s": "second", "sec": "second",
    "secs": "second", "ms": "millisecond", "µs": "microsecond", "ns": "nanosecond", "min": "minute",
    "mins": "minute", "h": "hour", "hr": "hour", "hrs": "hour", "yr": "year", "yrs": "year", "mo": "month",
    "wk": "week", "wks": "week", "V": "volt", "kV": "kilovolt", "mV": "millivolt", "W": "watt",
    "kW": "kilowatt", "MW": "megawatt", "GW": "gigawatt", "mW": "milliwatt", "Wh": "watt hour",
    "kWh": "kilowatt hour", "MWh": "megawatt hour", "mA": "milliamp", "mAh": "milliamp hour",
    "Ah": "amp hour", "kB": "kilobyte", "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte",
    "TB": "terabyte", "PB": "petabyte", "KiB": "kibibyte", "MiB": "mebibyte", "GiB": "gibibyte",
    "kb": "kilobit", "Mb": "megabit", "Gb": "gigabit", "dB": "decibel", "cal": "calorie",
    "kcal": "kilocalorie", "J": "joule", "kJ": "kilojoule", "N": "newton", "Pa": "pascal",
    "kPa": "kilopascal", "hPa": "hectopascal", "px": "pixel", "ha": "hectare", "ac": "acre",
    "pp": "percentage point", "ly": "light year", "Ω": "ohm", "kΩ": "kilohm", "MP": "megapixel",
    "pcs": "piece", "mol": "mole", "°": "degree", "pt.": "point", "sq m": "square meter",
    "sq km": "square kilometer", "m²": "square meter", "km²": "square kilometer", "cm²": "square centimeter",
    "m2": "square meter", "km2": "square kilometer", "m³": "cubic meter", "cm³": "cubic centimeter",
    "m3": "cubic meter", "sq mi": "square mile", "fl oz": "fluid ounce", "ppm": "part per million",
}  # fmt: skip
UNITS = {unit: (name, name + "s") for unit, name in _PLURAL_IN_S.items()} | {
    "ft": ("foot", "feet"), "in": ("inch", "inches"), "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"), "MHz": ("megahertz", "megahertz"), "GHz": ("gigahertz", "gigahertz"),
    "THz": ("terahertz", "terahertz"), "sq ft": ("square foot", "square feet"),
    "sq. ft.": ("square foot", "square feet"), "sq. ft": ("square foot", "square feet"),
    "ft²": ("square foot", "square feet"), "ft2": ("square foot", "square feet"),
    "ppm": ("part per million", "parts per million"), "°C": ("degree Celsius", "degrees Celsius"),
    "℃": ("degree Celsius", "degrees Celsius"), "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "℉": ("degree Fahrenheit", "degrees Fahrenheit"), "° C": ("degree Celsius", "degrees Celsius"),
    "° F": ("degree Fahrenheit", "degrees Fahrenheit"), "K": ("K", "K"),
    "mph": ("mile per hour", "miles per hour"), "kph": ("kilometer per hour", "kilometers per hour"),
    "kmh": ("kilometer per hour", "kilometers per hour"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "bpm": ("beat per minute", "beats per minute"), "fps": ("frame per second", "frames per second"),
    "dpi": ("dot per inch", "dots per inch"), "psi": ("PSI", "PSI"),
    "mpg": ("mile per gallon", "miles per gallon"), "kbps": ("kilobit per second", "kilobits per second"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
    "m/s²": ("meter per second squared", "meters per second squared"),
    "m/s2": ("meter per second squared", "meters per second squared"), "hp": ("horsepower",) * 2,
    "kn": ("knot", "knots"), "%": ("percent",) * 2, "‰": ("per mille",) * 2,
}  # fmt: skip
# Single letters are units only right behind the number or before a slash: "5 m" may begin "5 m people".
ATTACHED_ONLY = frozenset("s h t J N K V l W".split())
# Ordinary words, so that "5 in total" stays what it is.
NEVER_LOOSE = frozenset({"in", "mo", "ha", "ac", "pp", "pt", "pt.", "cal", "MP", "kn"})
DIVISORS = {
    "h": "hour", "hr": "hour", "hour": "hour", "s": "second", "sec": "second", "second": "second",
    "min": "minute", "minute": "minute", "day": "day", "d": "day", "wk": "week", "week": "week",
    "mo": "month", "month": "month", "yr": "year", "year": "year", "kg": "kilogram", "g": "gram",
    "lb": "pound", "oz": "ounce", "L": "liter", "l": "liter", "gal": "gallon", "ml": "milliliter",
    "mL": "milliliter", "m": "meter", "km": "kilometer", "m²": "square meter", "m2": "square meter",
    "m³": "cubic meter", "m3": "cubic meter", "cm³": "cubic centimeter", "cm3": "cubic centimeter",
    "person": "person", "night": "night", "unit": "unit", "piece": "piece", "item": "item", "user": "user",
    "page": "page", "word": "word", "sq ft": "square foot", "dL": "deciliter", "dl": "deciliter",
}  # fmt: skip

# symbol or code -> (singular, plural, singular of the hundredth, plural of the hundredth)
_DOLLARS = ("dollar", "dollars", "cent", "cents")
CURRENCIES: dict[str, tuple[str, str, str, str]] = {
    "$": _DOLLARS, "€": ("euro", "euros", "cent", "cents"), "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "", ""), "₩": ("won", "won", "", ""), "₹": ("rupee", "rupees", "paisa", "paise"),
    "₽": ("ruble", "rubles", "kopeck", "kopecks"), "₿": ("bitcoin", "bitcoins", "", ""),
    "USD": ("US dollar", "US dollars", "cent", "cents"), "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("British pound", "British pounds", "penny", "pence"), "JPY": ("yen", "yen", "", ""),
    "CNY": ("yuan", "yuan", "", ""), "RMB": ("RMB", "RMB", "", ""), "KRW": ("won", "won", "", ""),
    "CAD": ("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "CHF": ("Swiss franc", "Swiss francs", "", ""),
    "AUD": ("Australian dollar", "Australian dollars", "cent", "cents"),
    "INR": ("rupee", "rupees", "paisa", "paise"),
    "HKD": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    "Rs": ("rupee", "rupees", "paisa", "paise"), "US$": ("US dollar", "US dollars", "cent", "cents"),
    "C$": ("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "A$": ("Australian dollar", "Australian dollars", "cent", "cents"),
    "HK$": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    "NT$": ("Taiwan dollar", "Taiwan dollars", "cent", "cents"),
}  # fmt: skip
MAGNITUDES = {
    "k": "thousand", "K": "thousand", "M": "million", "m": "million", "mn": "million", "mm": "million",
    "MM": "million", "B": "billion", "b": "billion", "bn": "billion", "T": "trillion", "tn": "trillion",
    "thousand": "thousand", "million": "million", "billion": "billion", "trillion": "trillion",
    "hundred": "hundred",
}  # fmt: skip
# "a $5 bill": the currency stays in the singular before these.
PRICED_THINGS = frozenset(
    "bill bills note notes coin coins tip fee fine ticket voucher question gift deposit".split()
)

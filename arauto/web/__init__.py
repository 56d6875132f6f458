"""What every request and response goes through: encoding, headers, cookies, locale, errors."""

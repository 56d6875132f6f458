"""Parts of every request and response: encoding, headers, cookies, locale, errors."""

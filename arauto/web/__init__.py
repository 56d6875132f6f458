"""What every request and response goes through: encoding, headers, cookies, language, errors."""

"""Made-up histories by the hundred thousand: lawful ones, and on request late, unlawful and tampered ones, each by its seed."""

// What a page with a player loads before anything plays.

"""The pages of the HTTP API, for people: `pages` has their routes, `views` what they show."""

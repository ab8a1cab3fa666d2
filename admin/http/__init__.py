"""Requests and answers: operations as a table, problems, paging, and the description of it all."""

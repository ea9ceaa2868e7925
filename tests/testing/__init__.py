"""`assert_same_schedule` and the fixture `same_schedule`, as other people's tests use them."""

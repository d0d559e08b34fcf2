from hypothesis import settings

# Other work on the machine may hold up any single example; the tests that are about time say so and measure CPU.
settings.register_profile("pmcrm", deadline=None)
settings.load_profile("pmcrm")

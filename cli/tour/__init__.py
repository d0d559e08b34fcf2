"""The steps of the tour (`pmcrm demo`), each a coroutine that makes real calls and tells what came back."""

"""An application of FastAPI that says on which loop it runs."""

import asyncio

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def which_loop():
    loop = asyncio.get_running_loop()
    return {"served by": type(loop).__module__}

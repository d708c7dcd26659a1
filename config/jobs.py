"""The jobs that keep the job queue itself in order."""

from procrastinate import JobContext
from procrastinate.contrib.django import app

KEPT_HOURS = 24 * 7


@app.periodic(cron="*/2 * * * *")
@app.task(queueing_lock="retry_stalled_jobs", pass_context=True)
async def retry_stalled_jobs(context: JobContext, timestamp: int) -> None:
    """Give the jobs of a worker that died to another. Jobs run at least once and must bear it."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs():
        await manager.retry_job(job)
    await manager.prune_stalled_workers(60)


@app.periodic(cron="17 3 * * *")
@app.task(queueing_lock="remove_old_jobs", pass_context=True)
async def remove_old_jobs(context: JobContext, timestamp: int) -> None:
    """Forget the jobs that went well a week ago; failed ones stay until somebody looks."""
    await context.app.job_manager.delete_old_jobs(nb_hours=KEPT_HOURS)

# One image for every part: the composition tells it whether to be web, worker, beat or a command.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
RUN python -m venv /opt/newsletter
WORKDIR /src
# The dependencies first: they change less often than the code and stay in their own layer.
COPY requirements/runtime.txt requirements/
RUN /opt/newsletter/bin/pip install --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY templates templates
COPY workers workers
COPY newsletter newsletter
RUN /opt/newsletter/bin/pip install --no-deps --no-build-isolation .

FROM python:3.13-slim
ENV PATH="/opt/newsletter/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /var/lib/newsletter newsletter \
    && install --directory --owner newsletter --group newsletter --mode 700 /var/lib/newsletter
COPY --from=build /opt/newsletter /opt/newsletter
USER newsletter
WORKDIR /var/lib/newsletter
CMD ["newsletter", "--help"]

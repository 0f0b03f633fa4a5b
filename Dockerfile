# The commands in a container; see docker-compose.yml. Redis is a service of its own there.
FROM node:20-bookworm-slim
WORKDIR /opt/taskmuster
COPY package.json package-lock.json ./
COPY packages/kvs/package.json packages/kvs/
COPY packages/driver/package.json packages/driver/
COPY packages/engine/package.json packages/engine/
COPY packages/cli/package.json packages/cli/
COPY test/package.json test/
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && ln -s /opt/taskmuster/bin/driver /usr/local/bin/driver && ln -s /opt/taskmuster/bin/dbutil /usr/local/bin/dbutil
CMD ["driver", "--help"]

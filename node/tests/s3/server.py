"""An S3 server for tests, on a port of its own: moto, which checks signatures.

Prints `ready on http://ADDRESS KEY SECRET`, with the keys of the one user that it has and
that may do all, and ends when its parent does. The bucket `bucket` is there.
"""

import json
import logging
import os
import threading
import time
import urllib.request

import boto3
from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer

# S3 says so; moto fails.
upload_part = S3Backend.upload_part


def upload_part_or_refuse(self, bucket_name, multipart_id, *rest, **more):
    if multipart_id not in self.get_bucket(bucket_name).multiparts:
        raise NoSuchUpload(upload_id=multipart_id)
    return upload_part(self, bucket_name, multipart_id, *rest, **more)


S3Backend.upload_part = upload_part_or_refuse

# Of conditional writes S3 makes one; moto looks and writes in two steps.
key_response = S3Response.key_response
one_at_a_time = threading.Lock()


def key_response_in_turn(self, request, *rest, **more):
    if request.method in ("GET", "HEAD"):
        return key_response(self, request, *rest, **more)
    with one_at_a_time:
        return key_response(self, request, *rest, **more)


S3Response.key_response = key_response_in_turn

parent = os.getppid()
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"


def client(service):
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="first",
        aws_secret_access_key="first",
    )


client("s3").create_bucket(Bucket="bucket")
iam = client("iam")
iam.create_user(UserName="node")
every = {"Effect": "Allow", "Action": "*", "Resource": "*"}
policy = json.dumps({"Version": "2012-10-17", "Statement": [every]})
iam.put_user_policy(UserName="node", PolicyName="all", PolicyDocument=policy)
key = iam.create_access_key(UserName="node")["AccessKey"]
# From here on nobody else may do anything.
text = {"content-type": "text/plain"}
request = urllib.request.Request(f"{url}/moto-api/reset-auth", b"0", text, method="POST")
urllib.request.urlopen(request).close()

print(f"ready on {url} {key['AccessKeyId']} {key['SecretAccessKey']}", flush=True)
while os.getppid() == parent:
    time.sleep(0.5)
server.stop()

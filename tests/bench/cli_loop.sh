#!/usr/bin/env bash
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A peer of the benchmark: the AWS CLI in a loop, region after region, with the calls of a first onboarding; what is there is read
# before and after, as onboarding does. With BARE=1 it only makes, and looks at nothing.
#
# Usage: cli_loop.sh AWS_COMMAND REGION…   (the token comes from SPOTINST_TOKEN)
set -euo pipefail
export AWS_DEFAULT_REGION=${AWS_REGION:-us-east-1}
aws=("$1" --endpoint-url "$AWS_ENDPOINT_URL")
shift
look() { [ -n "${BARE:-}" ] || "${aws[@]}" "$@" --output text >/dev/null 2>&1 || true; }
name=spot-interruption-act-d7320fba
endpoint=https://api.spotinst.io/aws/ec2/instance/interruptionNotification
account=$("${aws[@]}" sts get-caller-identity --query Account --output text)
trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
may="{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"events:InvokeApiDestination\",\"Resource\":\"*\"}]}"
look iam get-role --role-name "$name"
role=$("${aws[@]}" iam create-role --role-name "$name" --assume-role-policy-document "$trust" --query Role.Arn --output text)
"${aws[@]}" iam put-role-policy --role-name "$name" --policy-name invoke --policy-document "$may"
look iam get-role --role-name "$name"
look iam get-role-policy --role-name "$name" --policy-name invoke
for region in "$@"; do
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region
  queue=arn:aws:sqs:$region:$account:$name
  look sqs get-queue-url --queue-name "$name"
  "${aws[@]}" sqs create-queue --queue-name "$name" --attributes SqsManagedSseEnabled=true --output text >/dev/null
  [ -n "${BARE:-}" ] || url=$("${aws[@]}" sqs get-queue-url --queue-name "$name" --output text)
  look sqs get-queue-attributes --queue-url "${url:-}" --attribute-names All
  look sqs list-queue-tags --queue-url "${url:-}"
  look events describe-connection --name "$name"
  connection=$("${aws[@]}" events create-connection --name "$name" --authorization-type API_KEY --query ConnectionArn --output text \
    --auth-parameters "ApiKeyAuthParameters={ApiKeyName=Authorization,ApiKeyValue=Bearer $SPOTINST_TOKEN}")
  look events describe-connection --name "$name"
  look secretsmanager list-secrets
  look events describe-api-destination --name "$name"
  # As JSON, since the CLI would fetch an address that it finds in an argument.
  wanted="{\"Name\":\"$name\",\"ConnectionArn\":\"$connection\",\"HttpMethod\":\"POST\",\"InvocationEndpoint\":\"$endpoint\"}"
  destination=$("${aws[@]}" events create-api-destination --cli-input-json "$wanted" --query ApiDestinationArn --output text)
  look events describe-api-destination --name "$name"
  look events describe-rule --name "$name"
  "${aws[@]}" events put-rule --name "$name" --output text >/dev/null \
    --event-pattern '{"source":["aws.ec2"],"detail-type":["EC2 Spot Instance Interruption Warning"]}'
  "${aws[@]}" events put-targets --rule "$name" --output text >/dev/null \
    --targets "Id=spot,Arn=$destination,RoleArn=$role,DeadLetterConfig={Arn=$queue}"
  look events describe-rule --name "$name"
  look events list-targets-by-rule --rule "$name"
  look events list-tags-for-resource --resource-arn "arn:aws:events:$region:$account:rule/$name"
done

#!/usr/bin/env bash
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A peer of the benchmark: the AWS CLI in a loop, region after region, with the calls of a first onboarding that are needed by hand.
#
# Usage: cli_loop.sh AWS_COMMAND REGION…   (the token comes from SPOTINST_TOKEN)
set -euo pipefail
export AWS_DEFAULT_REGION=${AWS_REGION:-us-east-1}
aws=$1
shift
name=spot-interruption-act-d7320fba
endpoint=https://api.spotinst.io/aws/ec2/instance/interruptionNotification
account=$("$aws" sts get-caller-identity --query Account --output text)
trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
may="{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"events:InvokeApiDestination\",\"Resource\":\"*\"}]}"
role=$("$aws" iam create-role --role-name "$name" --assume-role-policy-document "$trust" --query Role.Arn --output text)
"$aws" iam put-role-policy --role-name "$name" --policy-name invoke --policy-document "$may"
for region in "$@"; do
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region
  queue=arn:aws:sqs:$region:$account:$name
  "$aws" sqs create-queue --queue-name "$name" --attributes SqsManagedSseEnabled=true --output text >/dev/null
  connection=$("$aws" events create-connection --name "$name" --authorization-type API_KEY --query ConnectionArn --output text \
    --auth-parameters "ApiKeyAuthParameters={ApiKeyName=Authorization,ApiKeyValue=Bearer $SPOTINST_TOKEN}")
  destination=$("$aws" events create-api-destination --name "$name" --connection-arn "$connection" --http-method POST \
    --invocation-endpoint "$endpoint" --query ApiDestinationArn --output text)
  "$aws" events put-rule --name "$name" --output text >/dev/null \
    --event-pattern '{"source":["aws.ec2"],"detail-type":["EC2 Spot Instance Interruption Warning"]}'
  "$aws" events put-targets --rule "$name" --output text >/dev/null \
    --targets "Id=spot,Arn=$destination,RoleArn=$role,DeadLetterConfig={Arn=$queue}"
  "$aws" events describe-connection --name "$name" --output text >/dev/null
done
